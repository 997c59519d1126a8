"""What a publisher's pages do to their readers, from recordings or a real browser: findings, a score, a report."""
