(class_definition) @class
(function_definition) @function
(module (expression_statement (assignment left: [(identifier) (pattern_list)]) @constant))
(module (type_alias_statement) @type)
(class_definition body: (block (expression_statement (assignment left: (identifier)) @attribute)))

(call function: [(identifier) @reference (attribute attribute: (identifier) @reference)])
(class_definition superclasses: (argument_list [(identifier) @reference (attribute attribute: (identifier) @reference)]))
(decorator [(identifier) @reference (attribute attribute: (identifier) @reference)])
