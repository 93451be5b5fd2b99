"""Everything that makes the app run without Azure. A development tool; never deployed."""
