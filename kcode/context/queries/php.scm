(class_declaration) @class
(interface_declaration) @interface
(trait_declaration) @trait
(enum_declaration) @enum
(function_definition) @function
(method_declaration) @method
(program (const_declaration (const_element) @constant))
(declaration_list [(const_declaration (const_element) @attribute) (property_declaration (property_element) @attribute)])
