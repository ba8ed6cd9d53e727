"""From what happens to the sockets that subscribed to it: an Account's journal, and prices."""
