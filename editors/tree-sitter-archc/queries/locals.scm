[(block) (model) (for)] @local.scope
(parameter name: (identifier) @local.definition)
(let name: (identifier) @local.definition)
(for variable: (identifier) @local.definition)
(reference . (identifier) @local.reference)
