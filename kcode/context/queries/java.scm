(class_declaration) @class
(record_declaration) @class
(interface_declaration) @interface
(annotation_type_declaration) @interface
(enum_declaration) @enum
[(method_declaration) (constructor_declaration) (compact_constructor_declaration)] @method
(field_declaration) @attribute

(method_invocation name: (identifier) @reference)
(object_creation_expression type: (type_identifier) @reference)
(superclass (type_identifier) @reference)
(type_list (type_identifier) @reference)
[(marker_annotation name: (identifier) @reference) (annotation name: (identifier) @reference)]
