//! Words that mean something in the file already, and what is said instead of them.

use super::layers::{FUNCTIONS, OWN};

/// Words of Python.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// What the file imports, its loops' variable, and what of Python's own it calls.
const NEEDED: [&str; 26] = [
    "F",
    "OrderedDict",
    "Sequence",
    "Tensor",
    "annotations",
    "bool",
    "dict",
    "enumerate",
    "float",
    "i",
    "int",
    "isinstance",
    "len",
    "list",
    "module",
    "nn",
    "print",
    "range",
    "reversed",
    "self",
    "str",
    "sum",
    "super",
    "torch",
    "tuple",
    "type",
];

/// What `nn.Module` and `nn.Sequential` have themselves, in PyTorch 2.15: `dir(nn.Sequential())`.
const MEMBERS: [&str; 132] = [
    "T_destination",
    "__add__",
    "__annotations__",
    "__call__",
    "__class__",
    "__delattr__",
    "__delitem__",
    "__dict__",
    "__dir__",
    "__doc__",
    "__eq__",
    "__format__",
    "__ge__",
    "__getattr__",
    "__getattribute__",
    "__getitem__",
    "__getstate__",
    "__gt__",
    "__hash__",
    "__iadd__",
    "__imul__",
    "__init__",
    "__init_subclass__",
    "__iter__",
    "__le__",
    "__len__",
    "__lt__",
    "__module__",
    "__mul__",
    "__ne__",
    "__new__",
    "__reduce__",
    "__reduce_ex__",
    "__repr__",
    "__rmul__",
    "__setattr__",
    "__setitem__",
    "__setstate__",
    "__sizeof__",
    "__str__",
    "__subclasshook__",
    "__weakref__",
    "_apply",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_buffers",
    "_call_impl",
    "_compiled_call_impl",
    "_forward_hooks",
    "_forward_hooks_always_called",
    "_forward_hooks_with_kwargs",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_get_backward_hooks",
    "_get_backward_pre_hooks",
    "_get_item_by_idx",
    "_get_name",
    "_is_full_backward_hook",
    "_load_from_state_dict",
    "_load_state_dict_post_hooks",
    "_load_state_dict_pre_hooks",
    "_maybe_warn_non_full_backward_hook",
    "_modules",
    "_named_members",
    "_non_persistent_buffers_set",
    "_parameters",
    "_register_load_state_dict_pre_hook",
    "_register_state_dict_hook",
    "_replicate_for_data_parallel",
    "_save_to_state_dict",
    "_slow_forward",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_version",
    "_wrapped_call_impl",
    "add_module",
    "append",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extend",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "insert",
    "ipu",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "pop",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
];

/// Whether a class, an argument or a variable cannot have a name.
pub(super) fn reserved(name: &str) -> bool {
    let own = || OWN.iter().chain(&FUNCTIONS).any(|(own, _)| *own == name);
    KEYWORDS.contains(&name) || NEEDED.contains(&name) || own()
}

pub(super) fn digits(label: &str) -> bool {
    label.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a label can stand after `self.`: it is a name, and `nn.Module` has none of its own by it. What begins with an
/// underscore is PyTorch's own business.
pub(super) fn plain(label: &str) -> bool {
    !digits(label) && !label.starts_with('_') && !KEYWORDS.contains(&label) && !MEMBERS.contains(&label)
}

/// Whether an argument cannot have a name: what a class keeps of them are its members.
pub(super) fn not_kept(name: &str) -> bool {
    reserved(name) || MEMBERS.contains(&name)
}

/// A member by its label. Under `_modules` any name will do, so that parameters are called as in the `.arch` file whatever the
/// label is.
pub(super) fn member(label: &str) -> String {
    match label {
        label if plain(label) => format!("self.{label}"),
        label if digits(label) => format!("self.get_submodule(\"{label}\")"),
        label => format!("self._modules[\"{label}\"]"),
    }
}
