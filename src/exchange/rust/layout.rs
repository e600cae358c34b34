//! Lines that are too long, with one argument a line.

use std::ops::Range;

/// Columns of a line.
const WIDTH: usize = 100;

/// What stands between two brackets: where, how deep, and its parts.
struct Group {
    inside: Range<usize>,
    depth: usize,
    parts: Vec<Range<usize>>,
}

/// A text whose lines fit, where brackets let them.
pub(super) fn laid(text: &str) -> String {
    text.lines().map(|line| if line.trim_start().starts_with("//") { format!("{line}\n") } else { fit(line) }).collect()
}

/// One line as one, or as several that are broken at the outermost bracket with several parts.
fn fit(line: &str) -> String {
    let whole = || format!("{line}\n");
    if line.chars().count() <= WIDTH {
        return whole();
    }
    let groups = groups(line).into_iter().filter(|group| group.parts.len() > 1);
    let Some(group) = groups.min_by_key(|group| (group.depth, std::cmp::Reverse(group.inside.len()))) else {
        return whole();
    };
    let indent = line.len() - line.trim_start().len();
    let part = |part: &Range<usize>| fit(&format!("{}{},", " ".repeat(indent + 4), line[part.clone()].trim()));
    let inner: String = group.parts.iter().map(part).collect();
    let rest = fit(&format!("{}{}", " ".repeat(indent), &line[group.inside.end..]));
    format!("{}\n{inner}{rest}", &line[..group.inside.start])
}

/// The groups of round and square brackets, whatever they stand in.
fn groups(line: &str) -> Vec<Group> {
    let (mut open, mut done) = (Vec::<Option<Group>>::new(), Vec::new());
    let (mut quoted, mut piped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '|' => piped = !piped,
            '(' | '[' | '{' => {
                let start = at + 1;
                let group =
                    Group { inside: start..start, depth: open.len(), parts: std::iter::once(start..start).collect() };
                open.push((c != '{').then_some(group));
            }
            ')' | ']' | '}' => {
                let Some(Some(mut group)) = open.pop() else { continue };
                group.inside.end = at;
                group.parts.iter_mut().last().into_iter().for_each(|part| part.end = at);
                group.parts.retain(|part| !line[part.clone()].trim().is_empty());
                done.push(group);
            }
            ',' if !piped => {
                if let Some(Some(group)) = open.last_mut() {
                    group.parts.iter_mut().last().into_iter().for_each(|part| part.end = at);
                    group.parts.push(at + 1..at + 1);
                }
            }
            _ => {}
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_the_outermost_bracket_with_several_parts() {
        let long =
            format!("    let y = ops::relu(&self.norm.forward_t(&self.{}.forward(x)?, train)?)?;", "c".repeat(60));
        let want = format!(
            "    let y = ops::relu(&self.norm.forward_t(\n        &self.{}.forward(x)?,\n        train,\n    )?)?;\n",
            "c".repeat(60)
        );
        assert_eq!(laid(&long), want);
        assert_eq!(laid("short(a, b)"), "short(a, b)\n");
    }

    #[test]
    fn closures_and_strings_are_not_taken_apart() {
        let name = "n".repeat(70);
        let line = format!("x.try_fold(|a, b| {name}(\"a, (b\", a, b), c)");
        assert_eq!(laid(&line).lines().count(), 4, "{}", laid(&line));
        let one = format!("let {name} = \"(a, b) {name}\";");
        assert_eq!(laid(&one), format!("{one}\n"));
    }
}
