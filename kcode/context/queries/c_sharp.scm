(class_declaration) @class
(record_declaration) @class
(struct_declaration) @struct
(interface_declaration) @interface
(enum_declaration) @enum
(delegate_declaration) @type
(namespace_declaration) @module
[(method_declaration) (constructor_declaration) (destructor_declaration) (operator_declaration) (local_function_statement)] @method
[(property_declaration) (indexer_declaration) (event_declaration)] @attribute
(field_declaration (variable_declaration (variable_declarator) @attribute))
