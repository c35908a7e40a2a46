(class_definition) @class
(function_definition) @function
(module (expression_statement (assignment left: [(identifier) (pattern_list)]) @constant))
(module (type_alias_statement) @type)
(class_definition body: (block (expression_statement (assignment left: (identifier)) @attribute)))
