//! Whether anything can go on for ever.

use std::collections::HashMap;

use stateright::Model;

use super::rules::Scenario;
use super::world::World;

/// A world that can be reached from itself. `stateright` does not look for these: where there is none, and every world
/// without a next one is a good end, everything comes to a good end.
pub(super) fn circle(scenario: &Scenario) -> Option<World> {
    // Each world that was met: `true` while it is on the way that is being walked.
    let mut met: HashMap<World, bool> = HashMap::new();
    let mut way: Vec<(World, Vec<World>)> = Vec::new();
    let mut begin = scenario.init_states();
    loop {
        let next = way.last_mut().map_or(&mut begin, |(_, nexts)| nexts).pop();
        match next.map(|world| (world, met.get(&world))) {
            Some((world, Some(true))) => return Some(world),
            Some((_, Some(false))) => {}
            Some((world, None)) => {
                met.insert(world, true);
                way.push((world, scenario.next_states(&world)));
            }
            None => match way.pop() {
                Some((world, _)) => {
                    met.insert(world, false);
                }
                None => return None,
            },
        }
    }
}
