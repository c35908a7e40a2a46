(class_specifier name: (_) body: (_)) @class
(struct_specifier name: (_) body: (_)) @struct
(union_specifier name: (_) body: (_)) @struct
(enum_specifier name: (_) body: (_)) @enum
[(type_definition) (alias_declaration) (concept_definition)] @type
(namespace_definition name: (_)) @module
(function_definition) @function
(declaration declarator: (function_declarator)) @function
(declaration declarator: (pointer_declarator declarator: (function_declarator))) @function
(declaration declarator: (reference_declarator (function_declarator))) @function
(field_declaration declarator: (function_declarator)) @method
[(preproc_def) (preproc_function_def)] @macro
(translation_unit (declaration declarator: (init_declarator)) @constant)
