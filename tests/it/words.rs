//! The operator's commands in Chinese: nothing that they can say is forgotten, and facts and exit codes are the same.

mod complete;
mod site;
