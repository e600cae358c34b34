[(body) (recipe) (arguments) (parameters) (list) (record)] @indent
["}" ")" "]"] @outdent
