; Patterns do not overlap, so that it does not matter whether an editor takes the first or the last.

["block" "model" "train" "set" "let" "input" "output"] @keyword
["import" "from"] @keyword.import
["if" "else"] @keyword.conditional
["for" "in" "repeat"] @keyword.repeat
["skip" "long" "via" "by" "fit" "parallel"] @keyword.control
["and" "or" "not"] @keyword.operator
["add" "concat" "mul" "gate" "crop" "pad"] @constant.builtin
"value" @type.builtin

(block name: (identifier) @type)
(model name: (identifier) @type)
(train model: (identifier) @type)
(import (identifier) @type)

((call name: (identifier) @type) (#match? @type "^[A-Z]"))
((call name: (identifier) @function) (#match? @function "^[^A-Z]"))
(set layer: (identifier) @function)
(function name: (identifier) @function)

(parameter name: (identifier) @variable.parameter)
(argument name: (identifier) @variable.parameter)
(setting name: (identifier) @variable.parameter)
(dimension name: (identifier) @variable)
(let name: (identifier) @variable)
(for variable: (identifier) @variable)

(label (identifier) @label)
(path (identifier) @label)
(input name: (identifier) @label)

((reference . (identifier) @variable.builtin) (#eq? @variable.builtin "it"))
((reference . (identifier) @constant.builtin) (#any-of? @constant.builtin "global" "same"))
((reference . (identifier) @variable) (#not-any-of? @variable "it" "global" "same"))
(reference (identifier) (identifier) @property)

(number) @number
(string) @string
(boolean) @boolean
(doc_comment) @comment.documentation
(comment) @comment

["->" "=" "==" "!=" "<" "<=" ">" ">=" "+" "-" "*" "/" "%" ".." "..="] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ":" "."] @punctuation.delimiter
