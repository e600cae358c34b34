//! In which order the compiler will meet the nodes of steps.

use super::tree::{Statement, Step};

/// The nodes of lines in the order in which they are made: a skip's body, its `via`, its `by`, and the merge.
pub fn of(lines: &[Statement]) -> Vec<usize> {
    let mut out = Vec::new();
    walk(lines, &mut out);
    out
}

fn walk(lines: &[Statement], out: &mut Vec<usize>) {
    for line in lines {
        match &line.step {
            Step::Layer(id, ..) => out.push(*id),
            Step::Group(body) => walk(body, out),
            Step::Parallel(id, paths) => {
                paths.iter().for_each(|path| walk(path, out));
                out.push(*id);
            }
            Step::Skip(skip) => {
                skip.body.iter().for_each(|body| walk(body, out));
                walk(&skip.via, out);
                walk(&skip.by, out);
                out.push(skip.node);
            }
            Step::Call(..) | Step::For(..) | Step::From(_) | Step::Input(_) | Step::Output(_) => {}
        }
    }
}
