(struct_item) @struct
(union_item) @struct
(enum_item) @enum
(trait_item) @trait
(impl_item) @impl
(mod_item body: (_)) @module
(macro_definition) @macro
(function_item) @function
(function_signature_item) @function
[(type_item) (associated_type)] @type
(source_file [(const_item) (static_item)] @constant)
(declaration_list [(const_item) (static_item)] @attribute)
