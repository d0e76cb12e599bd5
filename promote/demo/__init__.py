"""What `promote demo` needs."""
