//! Order of events, by the rule of the S3 user guide.

use std::cmp::Ordering;

use s3_events::{ObjectEvent, Sender};

use crate::created;

fn at(sequencer: &str) -> ObjectEvent {
    ObjectEvent { sequencer: Some(sequencer.to_owned()), ..created(Sender::Aws, "a") }
}

#[test]
fn the_shorter_sequencer_is_padded_on_the_right() {
    for (left, right, order) in [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", Ordering::Equal),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6", Ordering::Less),
        // Padded on the left, the longer would be the greater.
        ("0056", "0055AED6DCD90281E5", Ordering::Greater),
        ("0055", "0055AED6DCD90281E5", Ordering::Less),
        ("0055", "005500", Ordering::Equal),
        ("617f08299329d189", "617f0837b476e463", Ordering::Less),
        ("617f0829", "617F082A", Ordering::Less),
        ("617F0829", "617f0829", Ordering::Equal),
    ] {
        assert_eq!(at(left).cmp_sequence(&at(right)), Some(order), "{left} {right}");
        assert_eq!(at(right).cmp_sequence(&at(left)), Some(order.reverse()), "{right} {left}");
    }
}

#[test]
fn events_of_different_objects_or_without_sequencer_have_no_order() {
    let event = at("0055");
    assert_eq!(event.cmp_sequence(&ObjectEvent { key: "b".to_owned(), ..at("0056") }), None);
    assert_eq!(event.cmp_sequence(&ObjectEvent { bucket: "other".to_owned(), ..at("0056") }), None);
    assert_eq!(event.cmp_sequence(&created(Sender::Aws, "a")), None);
    assert_eq!(created(Sender::Aws, "a").cmp_sequence(&event), None);
}
