; For Neovim; Helix has words of its own, in helix/indents.scm.
[(body) (recipe) (arguments) (parameters) (list) (record)] @indent.begin
["}" ")" "]"] @indent.branch @indent.end
