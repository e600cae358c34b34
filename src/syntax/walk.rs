//! Over a syntax tree, part by part: who looks at some parts says so, and the rest is gone through.

use super::ast::{Arg, Body, Expr, ExprKind, Label, LabelPart, Path, Skip, Step, StepKind};

/// What looks at a tree. Each method goes on to the parts of its part; one that is written anew may call the function of
/// its name here to do so, too.
pub trait Walk<'a> {
    /// Steps between braces.
    fn body(&mut self, body: &'a Body) {
        body.lines.iter().flatten().for_each(|step| self.step(step));
    }

    /// A step, its label first.
    fn step(&mut self, step: &'a Step) {
        walk_step(self, step);
    }

    /// A skip edge.
    fn skip(&mut self, skip: &'a Skip) {
        self.args(&skip.args);
        skip.from.iter().for_each(|path| self.path(path));
        skip.via.iter().chain(&skip.by).for_each(|step| self.step(step));
        skip.body.iter().for_each(|body| self.body(body));
    }

    /// The way to a labelled value.
    fn path(&mut self, path: &'a Path) {
        path.segments.iter().for_each(|label| self.label(label));
    }

    /// A label, for the expressions in it.
    fn label(&mut self, label: &'a Label) {
        walk_label(self, label);
    }

    /// The values of arguments.
    fn args(&mut self, args: &'a [Arg]) {
        args.iter().for_each(|arg| self.expr(&arg.value));
    }

    /// An expression.
    fn expr(&mut self, expr: &'a Expr) {
        walk_expr(self, expr);
    }
}

/// The label of a step, and what the step is made of.
pub fn walk_step<'a, W: Walk<'a> + ?Sized>(walk: &mut W, step: &'a Step) {
    step.label.iter().for_each(|label| walk.label(label));
    match &step.kind {
        StepKind::Call(call) => walk.args(&call.args),
        StepKind::Group(body) => walk.body(body),
        StepKind::Skip(skip) => walk.skip(skip),
        StepKind::Parallel { args, body, .. } => {
            walk.args(args);
            walk.body(body);
        }
        StepKind::Repeat { count, body } => {
            walk.expr(count);
            walk.body(body);
        }
        StepKind::For { from, to, body, .. } => {
            walk.expr(from);
            walk.expr(to);
            walk.body(body);
        }
        StepKind::If { arms, otherwise } => {
            for (condition, body) in arms {
                walk.expr(condition);
                walk.body(body);
            }
            otherwise.iter().for_each(|body| walk.body(body));
        }
        StepKind::Let { value, .. } => walk.expr(value),
        StepKind::Set(set) => walk.args(&set.args),
        StepKind::From(path) => walk.path(path),
        StepKind::Output(label) => walk.label(label),
        StepKind::Input { dims, .. } => dims.iter().filter_map(|d| d.size.as_ref()).for_each(|e| walk.expr(e)),
    }
}

/// The expressions in a label.
pub fn walk_label<'a, W: Walk<'a> + ?Sized>(walk: &mut W, label: &'a Label) {
    for part in &label.parts {
        if let LabelPart::Expr(expr) = part {
            walk.expr(expr);
        }
    }
}

/// The operands of an expression.
pub fn walk_expr<'a, W: Walk<'a> + ?Sized>(walk: &mut W, expr: &'a Expr) {
    match &expr.node {
        ExprKind::Dotted(path) => walk.path(path),
        ExprKind::List(items) => items.iter().for_each(|item| walk.expr(item)),
        ExprKind::Call(call) => walk.args(&call.args),
        ExprKind::Record(fields) => walk.args(fields),
        ExprKind::Unary(_, operand) => walk.expr(operand),
        ExprKind::Binary(_, left, right) => {
            walk.expr(left);
            walk.expr(right);
        }
        ExprKind::If(arms, otherwise) => {
            for (condition, value) in arms {
                walk.expr(condition);
                walk.expr(value);
            }
            walk.expr(otherwise);
        }
        ExprKind::Name(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Str(_) => {}
    }
}
