"""What people are told of without asking: a part that is away, work that was given up, money that ran out."""
