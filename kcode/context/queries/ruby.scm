(class) @class
(module) @module
[(method) (singleton_method)] @function
[(program (assignment left: (constant)) @constant) (body_statement (assignment left: (constant)) @attribute)]
