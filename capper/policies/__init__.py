"""The policy of a household with several cappers: putting a version in force, following it, and what a policy expects of itself."""
