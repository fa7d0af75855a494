"""How the demo exchange is reached: REST, WebSocket, sign-up site and control calls. It holds no money itself."""
