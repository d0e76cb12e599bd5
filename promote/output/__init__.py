"""Results as text: for people, for machines."""
