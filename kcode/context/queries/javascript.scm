(class_declaration) @class
[(function_declaration) (generator_function_declaration)] @function
(method_definition) @method
(variable_declarator value: [(arrow_function) (function_expression) (generator_function)]) @function
(variable_declarator value: (class)) @class
(assignment_expression right: [(arrow_function) (function_expression) (generator_function)]) @function
(assignment_expression right: (class)) @class
(field_definition value: [(arrow_function) (function_expression)]) @method
(pair value: [(arrow_function) (function_expression) (generator_function)]) @method
(program [(lexical_declaration (variable_declarator) @constant) (variable_declaration (variable_declarator) @constant)])
(program (export_statement declaration: [
  (lexical_declaration (variable_declarator) @constant) (variable_declaration (variable_declarator) @constant)]))
