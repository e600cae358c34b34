//! The weights of an imported model as `.safetensors`.

use super::net::Net;
use std::collections::BTreeMap;

/// The file: every parameter under its node's path, in order of evaluation.
pub fn bytes(net: &Net, order: &[usize], paths: &BTreeMap<usize, String>) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data: Vec<u8> = Vec::new();
    for &id in order {
        let Some(path) = paths.get(&id) else { continue };
        for (name, tensor) in &net.nodes[id].params {
            let start = data.len();
            data.extend(tensor.floats().iter().flat_map(|v| v.to_le_bytes()));
            let entry =
                serde_json::json!({ "dtype": "F32", "shape": tensor.dims, "data_offsets": [start, data.len()] });
            header.insert(format!("{path}.{name}"), entry);
        }
    }
    let mut head = serde_json::Value::Object(header).to_string().into_bytes();
    // The numbers start at a multiple of eight bytes.
    head.resize(head.len().next_multiple_of(8), b' ');
    let length = (head.len() as u64).to_le_bytes();
    [length.as_slice(), &head, &data].concat()
}
