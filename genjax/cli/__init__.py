"""What the commands share: how they start and end, their flags, and what they write."""
