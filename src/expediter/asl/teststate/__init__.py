"""One state on its own, answered as AWS's TestState answers: ``run_state``.

``request`` checks what is asked, ``mock_results`` checks a mocked result against the service's model, ``trial`` runs
the state, and ``answer`` puts the answer together.
"""
