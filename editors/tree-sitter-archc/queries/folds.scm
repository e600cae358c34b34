[(body) (recipe) (arguments) (parameters) (list) (record)] @fold
