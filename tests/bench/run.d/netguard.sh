# The network guard: nanoseconds for one URL and one address, beside the strict URL parser alone.
add netguard native netguard
