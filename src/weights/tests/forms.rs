//! One state dict, saved in all the ways that training scripts save one.

use super::*;

/// The network's tensors under other names, all of one number.
fn named(name: impl Fn(&str) -> String, number: f32) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let all = network().graph.named_params().into_iter();
    all.map(|(path, spec)| (name(&path), (spec.dims.clone(), vec![number; spec.dims.iter().product()]))).collect()
}

/// What is said of a `.safetensors` file of these tensors that is not read.
fn refused_of(tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> crate::base::Diagnostic {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    written(&path, tensors);
    *Numbers::load(&network(), &path, Fit::Strict, 0).unwrap_err()
}

/// Reads a fixture, whose numbers must be the right ones, and gives what was said about it.
fn read(name: &str, ask: impl Into<Ask>) -> Vec<String> {
    let network = network();
    let (numbers, report) = Numbers::load(&network, &fixture(name), ask, 0).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    assert!(report.fits() && report.loaded == 8, "{name}: {report:?}");
    for (path, want) in wanted() {
        assert_eq!(numbers.get(&path).unwrap()[..], want, "{name}: {path}");
    }
    report.notes
}

fn under(key: &str) -> Ask {
    Ask { fit: Fit::Strict, key: Some(key.into()) }
}

fn refused(name: &str, ask: impl Into<Ask>) -> crate::base::Diagnostic {
    *Numbers::load(&network(), &fixture(name), ask, 0).unwrap_err()
}

#[test]
fn dictionaries_and_prefixes_are_found_and_said() {
    let key = |key: &str| format!("the tensors are those under its key `{key}`");
    assert_eq!(read("net.pth", Fit::Strict), [key("net")]);
    assert_eq!(read("deep.pth", Fit::Strict), [key("a.b.network_weights")]);
    assert_eq!(read("legacy_nested.pth", Fit::Strict), [key("model")]);
    let off = "`model.` was taken off the front of their names".to_string();
    assert_eq!(read("lightning.ckpt", Fit::Strict), [key("state_dict"), off]);
    let module = "`module.`, which DataParallel puts before every key, was taken off";
    assert_eq!(read("parallel.pth", Fit::Strict), [module]);
    let both = "`_orig_mod.module.` was taken off the front of their names";
    assert_eq!(read("swa.pth", Fit::Strict), [both, "passed over beside them: `n_averaged`"]);
    let compiled = "`_orig_mod.`, which torch.compile puts before every key, was taken off";
    assert_eq!(read("orig_mod.safetensors", Fit::Strict), [compiled, "passed over beside them: `n_averaged`"]);
}

#[test]
fn parts_of_wrappers_and_names_of_norms_are_read_within_names() {
    let notes = read("inner.pth", Fit::Strict);
    let left_out = "`module.`, which DataParallel puts into names, was left out of 1 name";
    assert_eq!(notes, [left_out, "`gamma` was read as `weight` in names of norms (1 name of this kind)"]);
}

#[test]
fn what_lies_beside_the_tensors_is_passed_over() {
    let notes = read("extras.pth", Fit::Strict);
    let [passed] = &notes[..] else { panic!("{notes:?}") };
    assert!(passed.starts_with("passed over beside them: `args`, `best`, `best_acc1`,"), "{passed}");
    assert_eq!(read("beside.pth", Fit::Strict), ["the tensors are those under its key `state_dict`"]);
    let model = read("model.pth", Fit::Strict);
    assert_eq!(model, ["it holds a whole model (`__main__.Net`): the tensors were read, no code was run"]);
}

#[test]
fn where_two_fit_equally_the_key_says_which() {
    for (name, keys) in [
        ("ema.pth", ["params", "params_ema"]),
        ("twins.pth", ["student", "teacher"]),
        ("twins.safetensors", ["student", "teacher"]),
    ] {
        let error = refused(name, Fit::Strict);
        assert_eq!(error.code.0, "E0812");
        assert!(error.message.ends_with(&format!("in 2 ways: `{}`, `{}`", keys[0], keys[1])), "{}", error.message);
        let help = format!("say which is meant: `--key {}` or `--key {}`", keys[0], keys[1]);
        assert_eq!(error.help.as_deref(), Some(help.as_str()));
        assert_eq!(refused(name, Fit::Partial).code.0, "E0812");
    }
    assert_eq!(read("ema.pth", under("params_ema")), ["the tensors are those under its key `params_ema`"]);
    read("twins.pth", under("student"));
    read("twins.safetensors", under("student."));
    let (numbers, _) = Numbers::load(&network(), &fixture("twins.pth"), under("teacher"), 0).unwrap();
    assert_eq!(numbers.get("fc.bias").unwrap()[0], wanted()["fc.bias"][0] + 1.0);
    let absent = refused("twins.pth", under("studnet"));
    assert!(absent.help.unwrap().ends_with("`--key student`"));
    assert_eq!(absent.notes, ["its keys: `student` (8 tensors), `teacher` (8 tensors)"]);
}

#[test]
fn a_part_of_a_network_is_loaded_behind_its_prefix() {
    let error = refused("encoder.pth", Fit::Strict);
    assert!(error.message.ends_with("(2 of 8 tensors)"), "{}", error.message);
    assert!(
        error.notes.contains(&"`encoder.0.` was taken off the front of their names".to_string()),
        "{:?}",
        error.notes
    );
    let (numbers, report) = Numbers::load(&network(), &fixture("encoder.pth"), Fit::Partial, 0).unwrap();
    assert_eq!((report.loaded, report.missing.len(), report.unexpected.len()), (6, 2, 0));
    assert_eq!(numbers.get("conv.weight").unwrap()[..], wanted()["conv.weight"]);
    assert_eq!(
        report.summary().split_once(": ").unwrap().1,
        "6 of the 8 tensors of `Tiny` were loaded; 2 keep their initial values"
    );
}

#[test]
fn a_prefix_that_only_the_network_has_is_put_before_names() {
    let text = format!("block Body() {{ conv: conv(2, 3, stride=2, bias=false)\n bn: batch_norm }}\n{NETWORK}")
        .replace("    conv: conv(2, 3, stride=2, bias=false)\n    bn: batch_norm\n", "    body: Body()\n");
    let network = compile_text("tiny.arch", &text, &Options::default()).network.unwrap();
    let path = fixture("encoder.pth");
    let (numbers, report) = Numbers::load(&network, &path, Fit::Partial, 0).unwrap();
    assert_eq!(report.loaded, 6, "{report:?}");
    assert!(report.notes.contains(&"`body.` was put before their names".to_string()), "{:?}", report.notes);
    assert_eq!(numbers.get("body.conv.weight").unwrap()[..], wanted()["conv.weight"]);
}

#[test]
fn what_is_no_tensor_in_place_of_one_is_refused_by_name() {
    for (name, what) in [
        ("object.pth", "has `fractions.Fraction` in place of the tensor `fc.bias`"),
        ("quantised.pth", "has a quantised tensor (`torch._utils._rebuild_qtensor`) in place of"),
        ("arrays.pth", "has a numpy array (`numpy._core.multiarray._reconstruct`) in place of"),
    ] {
        let error = refused(name, Fit::Partial);
        assert_eq!(error.code.0, "E0811", "{name}");
        assert!(error.message.contains(what) && error.help.is_some(), "{}", error.message);
    }
    let split = refused("weight_norm.pth", Fit::Strict);
    assert!(split.notes.iter().any(|note| note.contains("remove_weight_norm")), "{:?}", split.notes);
}

#[test]
fn names_that_torchvision_renamed_are_read() {
    let text = "block Layer() { norm1: batch_norm\n relu\n conv1: conv(2, 1, bias=false) }
        model Dense() { input image [N, 2, 4, 4]\n denselayer1: Layer()\n conv0: conv(2, 1) }";
    let network = compile_text("dense.arch", text, &Options::default()).network.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dense.safetensors");
    let mut tensors = BTreeMap::new();
    for (i, (name, spec)) in network.graph.named_params().into_iter().enumerate() {
        let old = name.replace("norm1.", "norm.1.").replace("conv1.", "conv.1.");
        let count = spec.dims.iter().product();
        tensors.insert(format!("module.{old}"), (spec.dims, vec![i as f32; count]));
    }
    written(&path, &tensors);
    let (numbers, report) = Numbers::load(&network, &path, Fit::Strict, 0).unwrap();
    for (i, (name, _)) in network.graph.named_params().into_iter().enumerate() {
        assert_eq!(numbers.get(&name).unwrap()[0], i as f32, "{name}");
    }
    assert!(
        report.notes.iter().any(|note| note.starts_with("`norm.1.` was read as `norm1.` in 6 names")),
        "{report:?}"
    );
}

#[test]
fn names_that_fit_as_they_stand_come_before_a_copy_behind_a_prefix() {
    let (network, dir) = (network(), tempfile::tempdir().unwrap());
    let path = dir.path().join("w.safetensors");
    let mut tensors = BTreeMap::new();
    for (name, spec) in network.graph.named_params() {
        let count = spec.dims.iter().product();
        tensors.insert(format!("ema.{name}"), (spec.dims.clone(), vec![2.0; count]));
        tensors.insert(name, (spec.dims, vec![1.0; count]));
    }
    written(&path, &tensors);
    let (numbers, report) = Numbers::load(&network, &path, Fit::Strict, 0).unwrap();
    assert_eq!(numbers.get("fc.bias").unwrap()[0], 1.0);
    assert_eq!(report.notes, ["passed over beside them: `ema.` (7 tensors), `ema.bn.num_batches_tracked`"]);
}

#[test]
fn a_wrappers_name_is_no_reason_to_choose_for_the_user() {
    let mut both = named(|path| format!("module.{path}"), 1.0);
    both.extend(named(|path| format!("ema.{path}"), 2.0));
    let error = refused_of(&both);
    assert!(error.message.ends_with("in 2 ways: `ema`, `module`"), "{}", error.message);
    assert_eq!(error.help.as_deref(), Some("say which is meant: `--key ema` or `--key module`"));
}

#[test]
fn what_lies_beside_one_of_two_does_not_decide() {
    let mut both = named(|path| format!("model.{path}"), 1.0);
    both.insert("model.aux.weight".into(), (vec![2], vec![0.0; 2]));
    both.extend(named(|path| format!("ema.{path}"), 2.0));
    assert!(refused_of(&both).message.ends_with("in 2 ways: `ema`, `model`"));
}

#[test]
fn keys_that_are_offered_exist() {
    let mut both = named(|path| format!("student.module.backbone.{path}"), 1.0);
    both.extend(named(|path| format!("teacher.backbone.{path}"), 2.0));
    let help = "say which is meant: `--key student.module.backbone` or `--key teacher.backbone`";
    assert_eq!(refused_of(&both).help.as_deref(), Some(help));
}

#[test]
fn one_part_that_is_read_in_two_ways_is_offered_once() {
    let mut both = named(|path| format!("state_dict.model.{path}"), 1.0);
    both.extend(named(|path| format!("state_dict.ema_model.module.{path}"), 2.0));
    let error = refused_of(&both);
    assert!(error.message.contains("in 2 ways: "), "{}", error.message);
    let help = "say which is meant: `--key state_dict.ema_model.module` or `--key state_dict.model`";
    assert_eq!(error.help.as_deref(), Some(help));
}

#[test]
fn a_prefix_of_some_names_is_taken_off_those() {
    let own = |path: &str| if path.starts_with("fc.") { path.to_string() } else { format!("backbone.{path}") };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let loaded = |tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>| {
        written(&path, tensors);
        let (numbers, report) = Numbers::load(&network(), &path, Fit::Strict, 0).unwrap();
        assert!(report.fits() && report.loaded == report.total, "{report:?}");
        assert!(["conv.weight", "fc.bias"].iter().all(|name| numbers.get(name).unwrap()[0] == 1.0));
        report.notes
    };
    let said = "`backbone.` was taken off the front of 6 of the 8 names; the others fit as they stand";
    assert_eq!(loaded(&named(own, 1.0)), [said]);
    // What fits only in part says which names are without the prefix.
    let mut more = named(own, 1.0);
    more.insert("backbone.gate.weight".into(), (vec![2], vec![0.0; 2]));
    let lines = refused_of(&more).notes.join("\n");
    let hint = "the missing `fc.bias`, without the others' prefix: rename it `backbone.fc.bias`";
    assert!(lines.contains(hint) && !lines.contains("same shape as the missing `fc.bias`"), "{lines}");
}

#[test]
fn a_prefix_that_some_names_lack_is_put_before_those() {
    let text = format!("block Body() {{ conv: conv(2, 3, stride=2, bias=false)\n bn: batch_norm }}\n{NETWORK}")
        .replace("    conv: conv(2, 3, stride=2, bias=false)\n    bn: batch_norm\n", "    body: Body()\n");
    let network = compile_text("tiny.arch", &text, &Options::default()).network.unwrap();
    let (_, report) = Numbers::load(&network, &fixture("plain.pth"), Fit::Strict, 0).unwrap();
    assert_eq!(report.notes, ["`body.` was put before 6 of the 8 names; the others fit as they stand"]);
}

#[test]
fn numbers_that_are_none_are_counted() {
    let mut odd = named(str::to_string, 1.0);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let mut notes = |name: &str, value: f32| {
        odd.get_mut(name).unwrap().1[1] = value;
        written(&path, &odd);
        Numbers::load(&network(), &path, Fit::Strict, 0).unwrap().1.notes
    };
    let nothing = "what the network answers says nothing";
    assert_eq!(notes("fc.bias", 2.0), [""; 0]);
    assert_eq!(notes("fc.bias", f32::NAN), [format!("`fc.bias` holds 1 number that is NaN or infinite: {nothing}")]);
    let first = "`conv.weight` holds 1 number that is NaN or infinite (2 in 2 tensors)";
    assert_eq!(notes("conv.weight", f32::INFINITY), [format!("{first}: {nothing}")]);
}

#[test]
fn what_only_an_optimizer_wants_is_called_that() {
    let memory = |i: usize, name: &str| (format!("opt.state.{i}.{name}"), (vec![2], vec![0.0; 2]));
    let all = (0..3).flat_map(|i| ["exp_avg", "exp_avg_sq", "step"].map(|name| memory(i, name)));
    let error = refused_of(&all.collect());
    assert_eq!(error.code.0, "E0810");
    assert!(error.message.ends_with("it holds an optimizer's state only, and no tensor of a network"), "{error:?}");
    assert!(error.help.unwrap().contains("model.state_dict()"));
}

#[test]
fn a_key_around_dictionaries_is_near_as_well() {
    let error = refused("deep.pth", under("a.c"));
    assert!(error.help.unwrap().ends_with("`--key a`"));
    assert_eq!(read("deep.pth", under("a")), ["the tensors are those under its key `a.b.network_weights`"]);
}

#[test]
fn a_part_that_fits_in_two_places_is_saved_under_a_name() {
    let text = "block Body() { conv: conv(2, 3) }
        model Two() { input image [N, 2, 4, 4]\n left: Body()\n right: Body() }";
    let network = compile_text("two.arch", text, &Options::default()).network.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("body.safetensors");
    let tensor = |dims: &[usize]| (dims.to_vec(), vec![0.0; dims.iter().product()]);
    written(&path, &[("conv.weight".to_string(), tensor(&[2, 2, 3, 3])), ("conv.bias".into(), tensor(&[2]))].into());
    let error = *Numbers::load(&network, &path, Fit::Partial, 0).unwrap_err();
    let ways = "in 2 ways: its names with `left.` before them, its names with `right.` before them";
    assert!(error.message.ends_with(ways), "{}", error.message);
    let python = format!(
        "save it under the names that are meant: safetensors.torch.save_file({{\"left.\" + k: v for k, v in \
         safetensors.torch.load_file(\"{}\").items()}}, \"left.safetensors\")",
        path.display()
    );
    assert_eq!(error.help.as_deref(), Some(python.as_str()));
}

#[test]
fn integers_of_8_bits_are_no_weights() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    for (dtype, what) in [("I8", "integers of 8 bits"), ("U8", "integers of 8 bits"), ("BOOL", "truth values")] {
        let header = format!(r#"{{"fc.bias":{{"dtype":"{dtype}","shape":[3],"data_offsets":[0,3]}}}}"#);
        let length = (header.len() as u64).to_le_bytes();
        std::fs::write(&path, [&length[..], header.as_bytes(), &[1, 2, 3]].concat()).unwrap();
        let error = *Numbers::load(&network(), &path, Fit::Partial, 0).unwrap_err();
        assert_eq!(error.code.0, "E0811", "{error:?}");
        assert!(error.message.ends_with(&format!("has {what} in place of the tensor `fc.bias`")), "{}", error.message);
    }
}

#[test]
fn where_only_more_than_needed_is_there_nothing_keeps_its_initial_values() {
    let mut more = named(str::to_string, 1.0);
    more.insert("gate.weight".into(), (vec![2], vec![0.0; 2]));
    let error = refused_of(&more);
    assert!(error.message.ends_with("(1 tensor too many)"), "{}", error.message);
    assert_eq!(error.help.as_deref(), Some("`--partial` loads the 8 that fit, and passes these over"));
}

#[test]
fn names_of_impossible_length_are_passed_over_and_said() {
    let mut long = named(str::to_string, 1.0);
    long.insert(format!("{}.weight", "a".repeat(100_000)), (vec![2], vec![0.0; 2]));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    written(&path, &long);
    let (_, report) = Numbers::load(&network(), &path, Fit::Strict, 0).unwrap();
    assert_eq!(report.notes, ["passed over: 1 tensor with a name of more than 1024 bytes"]);
}

#[test]
fn of_settings_of_one_value_the_one_of_the_outputs_is_meant() {
    let report = |settings: &[&str]| Report {
        file: "f".into(),
        network: "N".into(),
        settings: settings.iter().map(|name| (name.to_string(), "10".to_string())).collect(),
        total: 1,
        loaded: 0,
        missing: vec![],
        unexpected: vec![],
        misshaped: vec![Misfit { name: "fc.bias".into(), found: vec![100], want: vec![10] }],
        notes: vec![],
    };
    let help = |settings: &[&str]| report(settings).help();
    assert_eq!(help(&["base", "classes"]).as_deref(), Some("`--set classes=100` makes `fc` fit"));
    assert_eq!(help(&["width"]).as_deref(), Some("`--set width=100` makes `fc` fit"));
    assert_eq!(help(&["base", "width"]), None);
}
