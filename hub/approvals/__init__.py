"""Agreement of a second person or of an owner: asked for, answered, used once.

For: the obligations SECOND_APPROVER and OWNER_RELEASE (rules P04, P13, P17, P19, P22, P23, P26, P37, P38). Must never
let somebody agree to their own request, nor let an answer serve another request, a second time or after its hours.
"""
