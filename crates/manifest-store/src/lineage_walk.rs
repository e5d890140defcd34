//! Walking lineage level by level, whatever the database.

use std::collections::HashSet;

use types::LineageEdge;

use crate::Direction;

/// A breadth-first walk: each object is looked up once, so cycles end, and no more edges are read than asked
/// for.
///
/// A recursive query would walk the whole of the graph before it could sort by distance: a version's manifest
/// has every image of the dataset among its ancestors.
#[derive(Debug)]
pub(crate) struct LineageWalk {
    direction: Direction,
    limit: usize,
    seen: HashSet<String>,
    frontier: Vec<String>,
    found: Vec<LineageEdge>,
}

impl LineageWalk {
    /// How many objects one statement asks about.
    const WIDTH: usize = 1000;

    pub(crate) fn new(start: String, direction: Direction, limit: u32) -> Self {
        Self {
            direction,
            limit: limit as usize,
            seen: HashSet::from([start.clone()]),
            frontier: vec![start],
            found: Vec::new(),
        }
    }

    /// The objects to look up next and the most edges to read; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<(Vec<String>, i64)> {
        let room = self.limit.saturating_sub(self.found.len());
        if room == 0 || self.frontier.is_empty() {
            return None;
        }
        let asked = self.frontier.len().min(Self::WIDTH);
        Some((self.frontier.drain(..asked).collect(), room as i64))
    }

    /// Takes the answer.
    pub(crate) fn add(&mut self, edges: Vec<LineageEdge>) {
        for edge in edges {
            let far_end = match self.direction {
                Direction::Ancestors => edge.parent.to_string(),
                Direction::Descendants => edge.child.to_string(),
            };
            if self.seen.insert(far_end.clone()) {
                self.frontier.push(far_end);
            }
            self.found.push(edge);
        }
    }

    /// Every edge that was found, nearest first.
    pub(crate) fn finish(self) -> Vec<LineageEdge> {
        self.found
    }
}
