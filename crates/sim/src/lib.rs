//! argosy-sim.
