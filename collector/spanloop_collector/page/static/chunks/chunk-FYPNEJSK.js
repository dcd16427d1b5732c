import{x as e}from"./chunk-RRTUOZLZ.js";var r=e("me","");export{r as a};
