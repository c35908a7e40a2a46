(type_spec type: (struct_type)) @struct
(type_spec type: (interface_type)) @interface
[(type_spec) (type_alias)] @type
(function_declaration) @function
(method_declaration) @method
(interface_type (method_elem) @method)
(source_file (var_declaration [(var_spec) @constant (var_spec_list (var_spec) @constant)]))
(source_file (const_declaration (const_spec) @constant))
