//! One integration binary: the real program against real servers on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;
#[path = "../upstream/mod.rs"]
mod upstream;

mod actions;
mod add;
mod architecture;
mod bombs;
mod book;
mod bundle_programs;
mod chart_images;
mod charts;
mod choice;
mod cli;
mod coverage;
mod demo;
mod diff;
mod docs;
mod forms;
mod generated;
mod init;
mod installer;
mod load;
mod pack;
mod page;
mod push;
mod registry_client;
mod reports;
mod resolve;
mod security;
mod serve;
mod stack;
mod terminal;
mod tools;
mod upstream_clients;
mod words;
mod wrong_files;
