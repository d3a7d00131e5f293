//! Where state lives: journal and tables, in SQLite or in memory.
