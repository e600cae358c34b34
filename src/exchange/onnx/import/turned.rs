//! Values whose axes stand in another order than the language's, as files have them that put channels last.
//!
//! Such a value is a piece, a map and the order of its axes; layers work on the map, and the order stays until the file
//! turns it back, or to the end.

use super::fold_places::turned;
use super::item::{Kind, Raw, Value};
use super::lift::Lift;
use super::operators::{Made, Operator, read};
use super::reader::{Read, Reader};
use std::rc::Rc;

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] =
    &[read("Transpose", &[1, 13, 21, 23, 24, 25], |lift, node| lift.transpose(node))];

impl Lift<'_> {
    /// The map of a value, and the order of its axes if that is another.
    pub(super) fn before_turn(&self, x: usize) -> (usize, Option<Vec<usize>>) {
        match &self.items[x].kind {
            Kind::Raw(Raw::Transpose(perm)) => (self.items[x].inputs[0], Some(perm.clone())),
            _ => (x, None),
        }
    }

    /// The maps of values that are all in one order; the values themselves where they are not.
    pub(super) fn all_before_turn(&mut self, items: &[usize]) -> (Vec<usize>, Option<Vec<usize>>) {
        let Some(perm) = items.iter().find_map(|&i| self.before_turn(i).1) else { return (items.to_vec(), None) };
        let maps: Option<Vec<usize>> = items.iter().map(|&i| self.as_turned(i, &perm)).collect();
        maps.map_or_else(|| (items.to_vec(), None), |maps| (maps, Some(perm)))
    }

    /// The map of which a value is the one in this order, if there is one.
    fn as_turned(&mut self, item: usize, perm: &[usize]) -> Option<usize> {
        if let (map, Some(own)) = self.before_turn(item) {
            return (own == perm).then_some(map);
        }
        let dims = self.items[item].dims.clone();
        if dims.len() != perm.len() || !keeps_order(&dims, &inverse(perm)) {
            return None;
        }
        let own = inverse(perm).iter().map(|&p| dims[p]).collect();
        match self.with_dims(item, own) {
            Ok(Value::Item(map)) => Some(map),
            _ => None,
        }
    }

    /// Has an operator read the maps of its operands, if these are in one order, which it gives; constants are turned back.
    pub(super) fn unturned(&mut self, node: &mut Reader) -> Read<Option<Vec<usize>>> {
        let operands = node.operands().to_vec();
        let items: Vec<(usize, usize)> = operands
            .iter()
            .enumerate()
            .filter_map(|(i, value)| match value {
                Some(Value::Item(item)) => Some((i, *item)),
                _ => None,
            })
            .collect();
        let only: Vec<usize> = items.iter().map(|(_, item)| *item).collect();
        let (maps, Some(perm)) = self.all_before_turn(&only) else { return Ok(None) };
        let back = inverse(&perm);
        for ((i, _), map) in items.iter().zip(maps) {
            node.replace(*i, Value::Item(map));
        }
        for (i, value) in operands.iter().enumerate() {
            let Some(Value::Const(tensor)) = value else { continue };
            if tensor.len() == 1 {
                continue;
            }
            let missing = perm.len().checked_sub(tensor.dims.len()).ok_or("meets a constant of more axes")?;
            let whole = tensor.with_dims([vec![1; missing], tensor.dims.clone()].concat());
            let own = turned(&whole, &back).ok_or("meets a constant that is too large")?;
            node.replace(i, Value::Const(Rc::new(own.named(&tensor.name))));
        }
        Ok(Some(perm))
    }

    /// A map in an order again.
    pub(super) fn turn_again(&mut self, made: Value, perm: Option<Vec<usize>>) -> Made {
        match (made, perm) {
            (Value::Item(map), Some(perm)) => self.turn(map, perm),
            (made, _) => Ok(made),
        }
    }

    /// A value with its axes in another order.
    pub(super) fn turn(&mut self, x: usize, perm: Vec<usize>) -> Made {
        let (map, before) = self.before_turn(x);
        let perm: Vec<usize> = match before {
            Some(before) => perm.iter().map(|&p| before[p]).collect(),
            None => perm,
        };
        let from = self.items[map].dims.clone();
        if perm.iter().enumerate().all(|(i, &p)| i == p) {
            return Ok(Value::Item(map));
        }
        let dims: Vec<usize> = perm.iter().map(|&p| from[p]).collect();
        Ok(self.raw(Raw::Transpose(perm), map, dims))
    }

    pub(super) fn transpose(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let rank = self.items[x].dims.len();
        let said = node.ints("perm")?.unwrap_or_else(|| (0..rank as i64).rev().collect());
        let perm: Option<Vec<usize>> = said.iter().map(|&p| super::fold_places::axis(p, rank)).collect();
        let perm = perm.filter(|perm| perm.len() == rank && (0..rank).all(|axis| perm.contains(&axis)));
        let perm = perm.ok_or_else(|| format!("has `perm` = {said:?}, which is no order of {rank} axes"))?;
        self.turn(x, perm)
    }

    /// A value to be given other sizes over the same elements: its map, where the order of these is the same.
    pub(super) fn in_order(&mut self, x: usize) -> Read<usize> {
        let (map, Some(perm)) = self.before_turn(x) else { return Ok(x) };
        let dims = self.items[map].dims.clone();
        if !keeps_order(&dims, &perm) {
            return Ok(x);
        }
        match self.with_dims(map, perm.iter().map(|&p| dims[p]).collect())? {
            Value::Item(id) => Ok(id),
            _ => Ok(x),
        }
    }
}

/// The order that undoes an order.
pub(super) fn inverse(perm: &[usize]) -> Vec<usize> {
    (0..perm.len()).filter_map(|axis| perm.iter().position(|&p| p == axis)).collect()
}

/// Whether only axes of one entry change places.
fn keeps_order(dims: &[usize], perm: &[usize]) -> bool {
    let long: Vec<usize> = perm.iter().copied().filter(|&p| dims.get(p) != Some(&1)).collect();
    long.is_sorted()
}
