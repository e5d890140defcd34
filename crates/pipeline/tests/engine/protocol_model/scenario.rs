//! What may happen when, and what must be true: the model as `stateright` takes it.

use stateright::{Model, Property};

use super::rules::{Scenario, Subject};
use super::steps::{Mishap, Step, Stepping, Way};
use super::world::{Broken, Key, Message, Phase, Row, Standing, VERSIONS, WORKERS, Worker, World};

pub(super) const NO_STALE_WRITE: &str = "a stale token changes nothing";
pub(super) const NOT_DELETED_EARLY: &str = "no message is deleted before its object is seen through";
pub(super) const NEVER_BACK: &str = "the catalogue never goes back from what the bucket holds";
pub(super) const ONCE: &str = "effects appear once";
pub(super) const DONE_IS_PUBLISHED: &str = "what is done was uploaded and published";
pub(super) const ENDS_WELL: &str =
    "at rest, everything is settled and the catalogue holds what the bucket holds";

impl Scenario {
    /// What the message tells of.
    pub(super) fn told(&self, message: u8) -> Key {
        match self.subject {
            Subject::TwoObjects => message,
            Subject::OneObject(contents) => contents[usize::from(message)],
        }
    }

    /// What the bucket holds, where there is one object.
    pub(super) fn current(&self, world: &World) -> Option<Key> {
        match self.subject {
            Subject::TwoObjects => None,
            Subject::OneObject(contents) => contents.get(usize::from(world.puts) - 1).copied(),
        }
    }

    /// Whether content is put a second time. It is the same version then, and a worker may rightly publish what was
    /// there in between until the next listing: the store cannot tell the second time from the first.
    pub(super) fn comes_back(&self) -> bool {
        matches!(self.subject, Subject::OneObject(contents) if contents.len() > VERSIONS)
    }

    fn puts_left(&self, world: &World) -> bool {
        matches!(self.subject, Subject::OneObject(contents) if usize::from(world.puts) < contents.len())
    }

    fn steps_of(&self, world: &World, by: usize, steps: &mut Vec<Step>) {
        let worker = &world.workers[by];
        match worker.phase {
            Phase::Idle => self.steps_of_idle(world, by, steps),
            Phase::Ready => steps.push(Step::Claim { by }),
            Phase::Claimed => steps.push(Step::Stage { by }),
            Phase::Staged => steps.push(Step::Upload { by }),
            Phase::Uploaded => steps.push(Step::Publish { by }),
            Phase::Unsure => steps.push(Step::LookAgain { by }),
            Phase::Superseded => steps.push(Step::FindSuccessor { by }),
            Phase::Settled => {
                steps.push(Step::Acknowledge { by, deletes: true });
                if worker.message.is_some() && !worker.receipt {
                    steps.push(Step::Acknowledge { by, deletes: false });
                }
            }
        }
        let row = world.row(worker.key);
        if worker.claims() && !(row.standing == Standing::Held && row.token == worker.token) {
            steps.push(Step::NoticeLoss { by });
        }
        if world.faults > 0 {
            mishaps_of(worker, by, steps);
            let held = row.standing == Standing::Held && !world.is_abandoned(worker.key);
            if held && worker.phase == Phase::Ready {
                steps.push(Step::Mishap(Mishap::TakeOver { by }));
            }
        }
    }

    fn steps_of_idle(&self, world: &World, by: usize, steps: &mut Vec<Step>) {
        if world.workers.iter().filter(|worker| worker.phase != Phase::Idle).count() >= self.workers {
            return;
        }
        for (message, standing) in (0..).zip(&world.messages) {
            if *standing == Message::Visible {
                steps.push(Step::Receive { by, message });
            }
        }
        let listed =
            world.workers.iter().any(|worker| worker.phase != Phase::Idle && worker.message.is_none());
        if let Some(current) = self.current(world) {
            let row = world.row(current);
            let free =
                matches!(row.standing, Standing::Free | Standing::Waiting) || world.is_abandoned(current);
            if free && !listed {
                steps.push(Step::List { by });
            }
        }
    }

    fn steps_of_services(&self, world: &World, steps: &mut Vec<Step>) {
        if self.puts_left(world) {
            steps.push(Step::Put);
            if world.faults > 0 {
                steps.push(Step::Mishap(Mishap::PutUntold));
            }
        }
        for (message, standing) in (0..).zip(&world.messages) {
            if *standing == Message::Hidden && !world.is_kept_hidden(message) {
                steps.push(Step::ShowAgain { message });
            } else if *standing != Message::Visible && world.faults > 0 && message < world.puts {
                steps.push(Step::Mishap(Mishap::Redeliver { message }));
            }
        }
        for key in [0, 1] {
            // Whoever comes by before takes it over.
            if world.is_abandoned(key) && world.messages.iter().all(|message| *message == Message::Gone) {
                steps.push(Step::FreeExpired { key });
            } else if world.row(key).standing == Standing::Held && world.faults > 0 {
                steps.push(Step::Mishap(Mishap::FreeExpired { key }));
            }
        }
        if world.late.is_some() {
            steps.extend([true, false].map(|commits| Step::EndLate { commits }));
        }
    }

    /// Whether nothing can happen any more unless something goes wrong.
    fn is_at_rest(&self, world: &World) -> bool {
        let goes_on =
            |step: &Step| !matches!(step, Step::Mishap(_)) && self.next_state(world, *step).is_some();
        let mut steps = Vec::new();
        // The idle ones come first: the others have more to do.
        for by in (0..WORKERS).rev() {
            self.steps_of(world, by, &mut steps);
            if steps.drain(..).any(|step| goes_on(&step)) {
                return false;
            }
        }
        self.steps_of_services(world, &mut steps);
        !steps.iter().any(goes_on)
    }

    fn is_well(&self, world: &World) -> bool {
        let nobody_waits = world.workers.iter().all(|worker| worker.phase == Phase::Idle)
            && world.messages.iter().all(|message| *message == Message::Gone)
            && world.rows.iter().all(|row| row.standing != Standing::Held);
        let seen_through = match self.current(world) {
            None => world.rows.iter().all(|row| row.is_settled()),
            Some(current) => match world.row(current).standing {
                Standing::Done => {
                    world.catalogue == Some(current) && (!self.one_copy || world.copy == Some(current))
                }
                standing => standing == Standing::Rejected,
            },
        };
        nobody_waits && seen_through
    }
}

fn mishaps_of(worker: &Worker, by: usize, steps: &mut Vec<Step>) {
    let mut may = |mishap| steps.push(Step::Mishap(mishap));
    if worker.phase != Phase::Idle {
        may(Mishap::Crash { by, committing: false });
    }
    if worker.phase == Phase::Staged {
        may(Mishap::Fail { by });
        may(Mishap::Refuse { by });
    }
    if worker.claims() {
        for way in [Way::Waits, Way::Returns, Way::Unwritten] {
            may(Mishap::HandBack { by, way });
        }
    }
    if worker.phase == Phase::Uploaded {
        may(Mishap::Crash { by, committing: true });
        may(Mishap::LoseAnswer { by, looks: true });
        may(Mishap::LoseAnswer { by, looks: false });
    }
}

impl Model for Scenario {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let (puts, second) = match self.subject {
            Subject::TwoObjects => (2, Message::Visible),
            Subject::OneObject(_) => (1, Message::Gone),
        };
        let messages = [Message::Visible, second, Message::Gone];
        vec![World { puts, messages, faults: self.faults, ..World::default() }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for by in 0..WORKERS {
            // Those that are alike do alike.
            if by == 0 || world.workers[by] != world.workers[by - 1] {
                self.steps_of(world, by, steps);
            }
        }
        self.steps_of_services(world, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut stepping = Stepping { scenario: self, world: *world };
        stepping.take(step);
        let mut next = stepping.world;
        next.workers.sort_unstable();
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(NO_STALE_WRITE, |_, world: &World| world.broken != Some(Broken::StaleWrite)),
            Property::always(NOT_DELETED_EARLY, |_, world: &World| {
                world.broken != Some(Broken::DeletedEarly)
            }),
            Property::always(NEVER_BACK, |_, world: &World| world.broken != Some(Broken::WentBack)),
            Property::always(ONCE, |_, world: &World| world.rows.iter().all(|row| row.effects <= 1)),
            Property::always(DONE_IS_PUBLISHED, |_, world: &World| {
                let mut rows = world.rows.iter().zip(world.outputs);
                rows.all(|(row, uploaded)| row.standing != Standing::Done || (uploaded && row.effects == 1))
            }),
            Property::always(ENDS_WELL, |scenario: &Self, world: &World| {
                !scenario.is_at_rest(world) || scenario.is_well(world)
            }),
            // What would be empty words if it could not happen.
            Property::sometimes("work goes on after its claim was taken over", |_, world: &World| {
                world.workers.iter().any(|worker| worker.claims() && !worker.latest)
            }),
            Property::sometimes("a commit is under way and its process is dead", |_, world: &World| {
                world.late.is_some() && world.workers.iter().all(|worker| worker.phase == Phase::Idle)
            }),
        ];
        properties.push(match self.subject {
            Subject::TwoObjects => Property::sometimes(
                "work that never finishes is rejected",
                |scenario: &Self, world: &World| {
                    let attempts = |row: &Row| row.attempts > scenario.max_attempts;
                    world.rows.iter().any(|row| row.standing == Standing::Rejected && attempts(row))
                },
            ),
            Subject::OneObject(_) => Property::sometimes("what was done is unsettled", |_, world: &World| {
                world.row(0).standing == Standing::Free
                    && world.row(0).token > 0
                    && world.catalogue == Some(1)
            }),
        });
        properties
    }
}
