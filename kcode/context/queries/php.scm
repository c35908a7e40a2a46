(class_declaration) @class
(interface_declaration) @interface
(trait_declaration) @trait
(enum_declaration) @enum
(function_definition) @function
(method_declaration) @method
(program (const_declaration (const_element) @constant))
(declaration_list [(const_declaration (const_element) @attribute) (property_declaration (property_element) @attribute)])

(function_call_expression function: (name) @reference)
(member_call_expression name: (name) @reference)
(scoped_call_expression scope: (name) @reference)
(scoped_call_expression name: (name) @reference)
(object_creation_expression (name) @reference)
(base_clause (name) @reference)
(class_interface_clause (name) @reference)
