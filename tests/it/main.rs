//! One integration binary: the real program against real servers on loopback.
