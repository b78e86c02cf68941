"""HTTP: routes that speak to use cases, identity, problems. Knows neither graph nor vault."""
