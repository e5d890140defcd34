//! What happens in each scenario, by kind of fault.

pub(crate) mod bad_senders;
pub(crate) mod crashes;
pub(crate) mod database;
pub(crate) mod delivery;
pub(crate) mod disk;
pub(crate) mod drain;
pub(crate) mod gateway;
pub(crate) mod leftovers;
pub(crate) mod load;
pub(crate) mod network;
pub(crate) mod order;
pub(crate) mod visibility;
