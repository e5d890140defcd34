-- When did a dataset change last? The planner asks every half minute, and read every original and variant for it.

CREATE INDEX originals_recorded ON originals (dataset, recorded_at);
CREATE INDEX variants_added ON variants (dataset, policy, added_at);
