(function_definition) @function
(program [(variable_assignment) @constant (declaration_command (variable_assignment) @constant)])
