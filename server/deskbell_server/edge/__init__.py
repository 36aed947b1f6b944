"""What all doors share: who may come in, bodies, answers, proxies, health."""
