//! Labels and the classes of pixels, held against the classes that a loss knows.

use super::Wrong;
use super::term::Term;
use crate::base::codes;
use crate::train::data::{Census, Dataset, EDGES, Misfit, Seen, TargetKind, edges};

/// Marks pixels to leave out in many data sets.
const VOID: i64 = 255;
/// Numbers that a message lists.
const LISTED: usize = 16;

/// Whether every target is a class that the loss knows, or one that it leaves out, and not all of them are left out.
pub(super) fn check(term: &Term, data: &dyn Dataset, census: &Census) -> Result<(), Wrong> {
    let Some(classes) = term.classes() else { return Ok(()) };
    let kept: Vec<(i64, &Seen)> = census.iter().filter(|&(value, _)| Some(value) != term.ignore()).collect();
    let strays: Vec<(i64, &Seen)> = kept.iter().copied().filter(|(value, _)| !(0..classes).contains(value)).collect();
    if kept.is_empty() {
        return nothing_left(term, census);
    }
    let labels = Labels { term, data, census, classes, kept, strays };
    if labels.strays.is_empty() { Ok(()) } else { Err(labels.wrong()) }
}

fn nothing_left(term: &Term, census: &Census) -> Result<(), Wrong> {
    match (census.total(), term.ignore()) {
        (1.., Some(ignored)) => {
            let fact = format!("every target is {ignored}, which `ignore_index={ignored}` leaves out: nothing is left");
            Err((
                codes::TRAIN_UNFIT,
                Misfit::new(fact).help("take `ignore_index` out, or name the value that marks nothing"),
            ))
        }
        _ => Ok(()),
    }
}

/// Targets of which some are no class.
struct Labels<'a> {
    term: &'a Term<'a>,
    data: &'a dyn Dataset,
    census: &'a Census,
    /// How many classes the loss knows.
    classes: i64,
    /// What is not left out.
    kept: Vec<(i64, &'a Seen)>,
    /// What of that is no class.
    strays: Vec<(i64, &'a Seen)>,
}

impl Labels<'_> {
    fn wrong(&self) -> Wrong {
        let label = |misfit| (codes::DATA_LABEL, misfit);
        if let Some(&negative) = self.strays.first().filter(|(value, _)| *value < 0) {
            let signs = self.kept.iter().map(|(value, _)| *value).eq([-1, 1]);
            let help = match signs {
                true => "classes count from 0. In Python:  y = (y + 1) // 2".to_string(),
                false => self.term.leave_out(negative.0),
            };
            return label(self.none_of(negative).help(help));
        }
        if let Some(misfit) = self.void() {
            return label(misfit);
        }
        if let Some(misfit) = self.counted_from_one().or_else(|| self.edges()) {
            return label(misfit);
        }
        match self.too_few() {
            Some(misfit) => (codes::TRAIN_UNFIT, misfit),
            None => label(self.sparse()),
        }
    }

    fn masks(&self) -> bool {
        matches!(self.data.target(), TargetKind::Mask { .. })
    }

    /// ``the mask `a.png` has level 7 at row 0, column 3``.
    fn tell(&self, (value, seen): (i64, &Seen)) -> String {
        self.data.tell(seen.sample, seen.position, &value.to_string())
    }

    /// That a target is none of the classes.
    fn none_of(&self, stray: (i64, &Seen)) -> Misfit {
        let last = self.classes - 1;
        let known = match self.term.channels() {
            1 => format!("and `{}` over one channel knows the classes 0 and 1", self.term.name()),
            _ => format!(
                "which is none of the {} classes of the output `{}`, 0 to {last}",
                self.classes, self.term.output
            ),
        };
        let misfit = Misfit::new(format!("{}, {known}", self.tell(stray)));
        match stray.1.count {
            1 => misfit,
            count => misfit.note(format!("{} is there {count} times", stray.0)),
        }
    }

    /// All is well but for pixels of 255, or labels that were −1 before they were bytes. Where one class would be all that is left,
    /// 255 is more than what has no class.
    fn void(&self) -> Option<Misfit> {
        let &[void @ (VOID, _)] = &self.strays[..] else { return None };
        if self.masks() && self.kept.iter().all(|&(value, _)| value == 0 || value == VOID) {
            return Some(self.white(void));
        }
        if self.kept.len() == 2 && (self.kept[0].0 == 0 || self.masks()) {
            return None;
        }
        Some(self.none_of(void).note("255 marks what has no class in many data sets").help(self.term.leave_out(VOID)))
    }

    /// Masks of nothing but black and white, where levels are class numbers: the run learnt from such, or another part holds them.
    fn white(&self, stray: (i64, &Seen)) -> Misfit {
        let both = if self.census.count(0) > 0 { "0 and 255" } else { "255 alone" };
        let numbers = format!("class numbers, 0 to {}", self.classes - 1);
        self.none_of(stray)
            .note(format!("these masks are black and white ({both}), and what is learnt are {numbers}"))
            .help("write class numbers. In Python, where white is class 1:  m = (m > 127).astype('uint8')")
    }

    /// Labels from 1 to the number of classes.
    fn counted_from_one(&self) -> Option<Misfit> {
        let (first, last) = (self.kept.first()?.0, *self.kept.last()?);
        if first != 1 || last.0 != self.classes || self.masks() && self.classes == 2 && self.kept.len() < 2 {
            return None;
        }
        let count = self.classes + 1;
        let help = format!(
            "subtract 1 from every label, or {}, of which class 0 stays empty",
            self.term.with_channels(usize::try_from(count).unwrap_or(0))
        );
        Some(self.none_of(last).note(format!("labels run from 1 to {}, and classes count from 0", last.0)).help(help))
    }

    /// Masks of two classes that are black and white but for a few pixels.
    fn edges(&self) -> Option<Misfit> {
        let between = || self.kept.iter().copied().filter(|&(value, _)| value != 0 && value != VOID);
        let (first, count) = (between().next()?, between().map(|(_, seen)| seen.count).sum::<u64>());
        let ends = self.census.count(0) > 0 && self.census.count(VOID) > 0;
        let few = (count as f64) < EDGES * self.census.total() as f64;
        if !self.masks() || self.classes != 2 || !ends || !few || between().any(|(value, _)| value > VOID) {
            return None;
        }
        Some(edges(&self.tell(first), count))
    }

    /// More classes than the output has channels.
    fn too_few(&self) -> Option<Misfit> {
        let counted = |value: i64| value >= 0 && value != VOID;
        let highest = self.kept.iter().rev().copied().find(|&(value, _)| counted(value))?;
        let distinct = self.kept.iter().filter(|&&(value, _)| counted(value)).count() as i64;
        if highest.0 < self.classes || 2 * distinct < highest.0 + 1 {
            return None;
        }
        let wanted = usize::try_from(highest.0 + 1).unwrap_or(usize::MAX);
        let fact = format!(
            "{}, and the data have {wanted} classes, 0 to {}: {}",
            self.term.is(),
            highest.0,
            self.tell(highest)
        );
        let channels = self.term.with_channels(wanted);
        let by_one = self.term.channels() == 1;
        let help = if by_one { format!("{channels}, with `--set loss=cross_entropy`") } else { channels };
        let void = self.strays.iter().any(|&(value, _)| value == VOID);
        let help =
            if void && !by_one { format!("{help}; 255 marks no class: {}", self.term.leave_out(VOID)) } else { help };
        Some(Misfit::new(fact).help(help))
    }

    /// Numbers with gaps: levels that stand for classes, or a number that should not be there.
    fn sparse(&self) -> Misfit {
        let first = self.strays[0];
        let misfit = self.none_of(first);
        let what = if self.masks() { "masks hold" } else { "labels are" };
        let list: Vec<String> =
            self.kept.iter().take(LISTED).map(|(value, seen)| format!("{value} ({}×)", seen.count)).collect();
        let more =
            if self.kept.len() > LISTED { format!(" and {} more", self.kept.len() - LISTED) } else { String::new() };
        let misfit = misfit.note(format!("{what} {}{more}", list.join(", ")));
        if self.kept.len() > LISTED {
            return misfit;
        }
        let all: Vec<String> = self.kept.iter().map(|(value, _)| value.to_string()).collect();
        let (all, y) = (all.join(", "), if self.masks() { "m" } else { "y" });
        misfit.help(format!("number classes from 0. In Python:  {y} = np.searchsorted([{all}], {y})"))
    }
}
