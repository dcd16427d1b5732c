"""From a sender to the intake: transports, authentication, the check at the door, stamps, answers."""
