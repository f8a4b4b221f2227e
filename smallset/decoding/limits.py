"""What one image may take of a process that decodes it."""

CPU_SECONDS = 60  # of processor time: the largest image that is allowed takes about 10
EVERY_SECOND = 10 * CPU_SECONDS  # of the clock: far more, for a machine that has much else to do
