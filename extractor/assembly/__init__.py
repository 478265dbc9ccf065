"""Reading -> procedures: what was done, on which joints and nerves, on which side, how guided, with what. Pure
Python."""
