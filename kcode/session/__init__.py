"""One conversation with its log and its draft."""
