[(class_declaration) (abstract_class_declaration)] @class
(interface_declaration) @interface
(enum_declaration) @enum
(type_alias_declaration) @type
[(internal_module) (module)] @module
[(function_declaration) (generator_function_declaration) (function_signature)] @function
[(method_definition) (abstract_method_signature)] @method
(interface_body (method_signature) @method)
(variable_declarator value: [(arrow_function) (function_expression) (generator_function)]) @function
(variable_declarator value: (class)) @class
(assignment_expression right: [(arrow_function) (function_expression) (generator_function)]) @function
(assignment_expression right: (class)) @class
(public_field_definition value: [(arrow_function) (function_expression)]) @method
(public_field_definition) @attribute
(pair value: [(arrow_function) (function_expression) (generator_function)]) @method
(program [(lexical_declaration (variable_declarator) @constant) (variable_declaration (variable_declarator) @constant)])
(program (export_statement declaration: [
  (lexical_declaration (variable_declarator) @constant) (variable_declaration (variable_declarator) @constant)]))
